"""The rules: values in, values out. First the nouns, then what happens to them, then what is read off."""
