"""The approval gate under attack, and the properties that hold it up."""
