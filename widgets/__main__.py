"""`python -m widgets`: the gallery."""

from .gallery import main

if __name__ == "__main__":
    main()
