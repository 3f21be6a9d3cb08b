"""An Azure workbook that shows every report of the app."""
