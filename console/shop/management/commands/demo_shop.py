from console.shop import demo
from llm_admin.management.commands import demo as library


class Command(library.Command):
    help = "For bin/demo: forty products, and who of the demo accounts may see and change them."
    prepare = staticmethod(demo.prepare)
