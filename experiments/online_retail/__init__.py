"""The Online Retail transactions, turned into the tables of the contract."""
