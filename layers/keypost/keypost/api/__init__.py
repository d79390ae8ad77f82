"""The support API: the routes by subject, each a module; `app` puts them together."""
