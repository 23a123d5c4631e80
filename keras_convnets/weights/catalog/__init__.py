"""What public weights there are; each publisher is a module."""
