export { args, environment, fail, inputOffset, ABORT_EXIT_CODE } from "./process";
export { createFile, InputFile, readFile, readInput } from "./file";
export { Output, stderr, stdout } from "./output";
export { done, frame, MORE, progress } from "./host";
