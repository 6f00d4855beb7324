/**
 * What can be wrong in a file: every place where one small change would make another program of it.
 * The changes are those that reviewers overlook: a comparison, a condition, a step left out.
 */
import { parseSync } from 'oxc-parser';

const COMPARISONS = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
};

/** Turns of one loop after which a changed file is taken to run for ever. */
const TURNS_MAX = 1_000_000;

/**
 * @param {string} path
 * @param {string} text
 * @param {readonly string[] | undefined} within - names of functions; undefined for the whole file.
 * @returns {{ start: number, end: number, text: string, line: number, original: string }[]}
 */
export function mutantsOf(path, text, within) {
  const { program } = parseSync(path, text);
  const mutants = [];
  const add = (node, replacement) => {
    const { start, end } = node;
    const original = text.slice(start, end);
    const line = text.slice(0, start).split('\n').length;
    if (replacement !== original) mutants.push({ start, end, text: replacement, line, original });
  };
  const visit = (node, isInside) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const each of node) visit(each, isInside);
      return;
    }
    if (typeof node.type !== 'string' || isType(node)) return;
    const isHere = isInside || within?.includes(node.id?.name) === true;
    if (isHere) change(node, text, add);
    for (const [key, value] of Object.entries(node)) {
      if (key === 'type' || key === 'key' || key === 'source') continue;
      if (key === 'right' && isDefaultForTypes(node)) continue;
      visit(value, isHere);
    }
  };
  visit(program, within === undefined);
  return mutants;
}

/** The text with one change, and with loops that end. */
export function mutated(path, text, mutant) {
  const changes = [mutant, ...guards(path, text, mutant)];
  return changes
    .toSorted((a, b) => b.start - a.start)
    .reduce((all, each) => all.slice(0, each.start) + each.text + all.slice(each.end), text);
}

/** `?? ''` and `[a = '']`: asked for by the compiler where nothing can be absent, and so of no consequence. */
function isDefaultForTypes({ type, operator, right }) {
  const isDefault =
    type === 'AssignmentPattern' || (type === 'LogicalExpression' && operator === '??');
  return isDefault && right.type === 'Literal' && right.value === '';
}

function isType({ type }) {
  return type.startsWith('TS') && !['TSAsExpression', 'TSNonNullExpression'].includes(type);
}

function change(node, text, add) {
  const source = (each) => text.slice(each.start, each.end);
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
      add(node.test, 'true');
      add(node.test, 'false');
      break;
    case 'WhileStatement':
      add(node.test, 'false');
      break;
    case 'BinaryExpression':
      for (const other of COMPARISONS[node.operator] ?? []) {
        add(node, `(${source(node.left)} ${other} ${source(node.right)})`);
      }
      break;
    case 'LogicalExpression':
      if (isDefaultForTypes(node)) break;
      add(node, `(${source(node.left)})`);
      add(node, `(${source(node.right)})`);
      break;
    case 'UnaryExpression':
      if (node.operator === '!') add(node, `(${source(node.argument)})`);
      break;
    case 'Literal':
      if (typeof node.value === 'boolean') add(node, String(!node.value));
      else if (typeof node.value === 'number') add(node, String(node.value + 1));
      else if (typeof node.value === 'string') add(node, node.value === '' ? "'x'" : "''");
      break;
    case 'ExpressionStatement':
      if (node.directive === undefined || node.directive === null) add(node, ';');
      break;
    case 'ReturnStatement':
      if (node.argument !== null) add(node, 'return undefined;');
      break;
  }
}

/** A count in every loop that the change does not lie in: a program that hangs is no verdict. */
function guards(path, text, { start, end }) {
  const found = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const each of node) visit(each);
      return;
    }
    const { type, body } = node;
    if (/^(For|While|DoWhile)/.test(type ?? '') && body?.type === 'BlockStatement') {
      const at = body.start + 1;
      const guard =
        'globalThis.mutantTurns = (globalThis.mutantTurns ?? 0) + 1;' +
        `if (globalThis.mutantTurns > ${TURNS_MAX}) throw new Error('It runs for ever.');`;
      if (at <= start || at >= end) found.push({ start: at, end: at, text: guard });
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(parseSync(path, text).program);
  return found;
}
