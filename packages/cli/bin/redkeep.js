#!/usr/bin/env node
// npm links a program only if its file exists when it installs, which dist/ does not yet in a fresh clone.
import '../dist/main.js';
