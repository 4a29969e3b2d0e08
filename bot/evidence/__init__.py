"""What an auditor gets: exports of the trail, anchors of its head, and archives about single runs."""
