/** One thing that is wrong in a configuration, where it stands, and what would be right. */
export interface Problem {
  /** As the operator named it: below the path given to `loadConfig`. */
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  /** From 1, in characters; 0 where the file as a whole is meant. */
  readonly column: number;
  /** What is wrong. Never holds a secret; a value from the environment is shown as its reference. */
  readonly message: string;
  /** What would be right. */
  readonly remedy: string;
  /** It is the cause of others in its file, and told before them. */
  readonly first?: true;
}

/** `file:line:column: message`, and the remedy indented below it: the form that editors and terminals make clickable. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return `${place}: ${problem.message}\n    ${problem.remedy}`;
}

/** The first of them on one line, and where the others are to be seen. @param problems as `formatProblem` makes them */
export function inShort(problems: readonly string[], path: string): string {
  const [first = '', ...more] = problems.map(problem => problem.replaceAll(/\n\s*/g, '; '));
  return more.length === 0 ? first : `${first} (+${more.length} more: limpet check -c ${path})`;
}

/** In the order of reading: by file, causes first, then line and column; what stands at one place keeps its order. */
export function inReadingOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    if (a.first !== b.first) return a.first ? -1 : 1;
    return a.line - b.line || a.column - b.column;
  });
}
