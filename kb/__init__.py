"""The knowledge base: what is known, and where it is kept. Imports nothing else of Carbet."""
