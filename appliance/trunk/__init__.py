"""The 112 trunk: whether it carries calls, whose fault it is when not, and the fallback that is then in force."""
