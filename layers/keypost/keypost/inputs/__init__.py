"""From text and bytes to values, or InvalidInput."""
