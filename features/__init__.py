"""What we know about a listing at a moment: contract, signals, features, online snapshot."""

import warnings

# pandera imports PySpark wherever it is installed, and PySpark 4.3 then warns of pandas 3. That is
# no news to somebody who runs a command: pandera's PySpark part isn't used.
warnings.filterwarnings(
    "ignore", message="PySpark does not yet fully support pandas", category=FutureWarning
)
