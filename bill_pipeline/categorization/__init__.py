"""The model that gives lines their accounts, and who is who among the parties."""
