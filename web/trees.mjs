// Compares two directory trees byte by byte.

import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** The paths of all files below a directory, with forward slashes, sorted; none when there is no directory. */
export async function files(directory) {
  let entries;
  try {
    entries = await readdir(directory, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join("/"))
    .sort();
}

/** One line for each file in which the trees differ; none when they are equal. */
export async function differences(wanted, present) {
  const [wantedFiles, presentFiles] = await Promise.all([files(wanted), files(present)]);
  const found = [];
  for (const path of new Set([...wantedFiles, ...presentFiles])) {
    if (!presentFiles.includes(path)) found.push(`${path}: missing`);
    else if (!wantedFiles.includes(path)) found.push(`${path}: not built from any source`);
    else if (!(await readFile(join(wanted, path))).equals(await readFile(join(present, path)))) found.push(`${path}: differs`);
  }
  return found.sort();
}
