"""The rules: functions that get values and return values. First the nouns (payment, order, mail), then what happens to
them, then what is computed from them."""
