// The line above the tabs: it is translated, and has nothing to do.
