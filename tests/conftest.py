"""For all tests: this folder's modules (`running_demo`) can be imported from the folders below it."""
