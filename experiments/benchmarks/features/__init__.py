"""What features cost: the catalogue on growing markets, beside SQL written by hand."""
