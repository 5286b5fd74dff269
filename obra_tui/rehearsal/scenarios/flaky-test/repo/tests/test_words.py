import words


def test_every_word_comes_once():
    assert sorted(words.unique(["b", "a", "b"])) == ["a", "b"]


def test_words_keep_their_order():
    assert words.unique(["pear", "fig", "pear"]) == ["pear", "fig"]
