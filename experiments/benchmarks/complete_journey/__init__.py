"""The Complete Journey: which products' buyers buy them again, in a year of real groceries."""
