"""Fault injection: break one launch of one stage, launch again, and look at what is left."""
