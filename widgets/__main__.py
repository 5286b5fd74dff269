"""`python -m widgets`: the gallery."""

from widgets.gallery import main

if __name__ == "__main__":
    main()
