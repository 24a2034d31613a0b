"""Other libraries' ways to meet arrays: NumPy's protocols, the Array API standard, einops and matplotlib."""
