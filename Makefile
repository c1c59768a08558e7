# Everything sets itself up from lock files: nothing by hand.
