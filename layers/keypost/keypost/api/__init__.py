"""The support API: one module per subject with its routes; `app` puts them together."""
