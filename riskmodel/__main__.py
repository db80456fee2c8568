"""``python -m riskmodel`` is the command line."""

import sys

from riskmodel.cli.main import main

sys.exit(main())
