"""What runs inside the isolation: standard library only, imported as the package `inside` there."""
