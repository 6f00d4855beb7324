#!/usr/bin/env node
/** The first file of the program `tidegate`. */
import { runProgram } from './program.ts';

void runProgram(process.argv.slice(2));
