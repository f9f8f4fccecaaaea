"""Extension points for other people's code. Receivers run after the commit.

run_ended: `run` (Run). version_saved: `document`, `version`. label_moved: `document`, `event`.
"""

from django.dispatch import Signal

run_ended = Signal()
version_saved = Signal()
label_moved = Signal()
