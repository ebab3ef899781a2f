/**
 * What the rules of the code need to know of a source file, taken from its syntax tree, which Deno's
 * linter makes.
 *
 * @module
 */

/** Something that a rule looks at, and where it stands. */
export interface Found {
  readonly text: string;
  readonly line: number;
}

/** One import of a module, by whatever syntax. */
export interface Import extends Found {
  /** Whether the module is loaded as soon as this one is: neither a type nor an `import()`. */
  readonly loads: boolean;
}

/** What the rules need to know of one TypeScript file. */
export interface SourceFile {
  /** The path from the top directory. */
  readonly path: string;
  readonly text: string;
  readonly imports: Import[];
  /** The names that are used without being a property: `Deno`, and `Deno.exit` where it is that. */
  readonly names: Found[];
  /** What is not to be written here at all, with a few words of why. */
  readonly forbidden: Found[];
  readonly functions: (Found & { readonly lines: number })[];
  readonly undocumented: Found[];
}

/** A node of a syntax tree, as far as it says where it stands. */
type Place = Pick<Deno.lint.Node, "range">;

/** Reads the text of a TypeScript file, by its syntax tree. */
export function readSource(path: string, text: string): SourceFile {
  const file: SourceFile = {
    path,
    text,
    imports: [],
    names: [],
    forbidden: [],
    functions: [],
    undocumented: [],
  };
  const rule: Deno.lint.Rule = { create: () => createVisitor(file) };
  Deno.lint.runPlugin({ name: "code", rules: { rules: rule } }, path, text);
  return file;
}

/** Collects what the rules need. `deno fmt` removes the empty statements that this would end at. */
function createVisitor(file: SourceFile): Deno.lint.LintVisitor {
  const { path, text } = file;
  const found = (node: Place, what: string): Found => ({
    text: what,
    line: text.slice(0, node.range[0]).split("\n").length,
  });
  const addImport = (node: Place, specifier: string, loads: boolean): void => {
    const target = specifier.startsWith(".")
      ? new URL(specifier, `file:///${path}`).pathname.slice(1)
      : specifier;
    file.imports.push({ ...found(node, target), loads });
  };
  const addFunction = (node: Place): void => {
    const own = text.slice(...node.range).split("\n");
    file.functions.push({ ...found(node, own[0]!.trim()), lines: own.length });
  };
  const forbid = (what: string) => (node: Place): void => {
    file.forbidden.push(found(node, what));
  };
  const addMember = (node: Deno.lint.PropertyDefinition | Deno.lint.MethodDefinition): void => {
    // A constructor cannot have a #name.
    if (node.accessibility === undefined || "kind" in node && node.kind === "constructor") return;
    forbid(`is ${node.accessibility} by a keyword, not by #`)(node);
  };
  const overloads = new Set<string>();
  return {
    ImportDeclaration: (node) => addImport(node, node.source.value, node.importKind === "value"),
    ExportAllDeclaration: (node) => addImport(node, node.source.value, node.exportKind === "value"),
    ExportNamedDeclaration(node) {
      if (node.source) addImport(node, node.source.value, node.exportKind === "value");
      if (!node.declaration) return;
      const name = nameOf(node.declaration);
      // What follows its overloads is not seen from outside.
      const isDocumented = name !== undefined && overloads.has(name) ||
        text.slice(0, node.range[0]).trimEnd().endsWith("*/");
      if (name !== undefined && node.declaration.type === "TSDeclareFunction") overloads.add(name);
      if (!isDocumented) {
        file.undocumented.push(found(node, text.slice(...node.range).split("\n")[0]!));
      }
    },
    ImportExpression(node) {
      if (node.source.type === "Literal") addImport(node, String(node.source.value), false);
    },
    "TSImportType Literal"(node: Deno.lint.StringLiteral) {
      addImport(node, node.value, false);
    },
    Identifier(node) {
      const { parent } = node;
      if (parent.type === "MemberExpression" && !parent.computed && isSame(parent.property, node)) {
        if (parent.object.type !== "Identifier") return;
        file.names.push(found(node, `${parent.object.name}.${node.name}`));
      } else if (!isKey(node)) {
        file.names.push(found(node, node.name));
      }
    },
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
    TSAnyKeyword: forbid("is any: unknown until it is parsed"),
    TSEnumDeclaration: forbid("is an enum: write a union"),
    "Program > VariableDeclaration[kind!='const']": forbid("is state of a module"),
    "Program > ExportNamedDeclaration > VariableDeclaration[kind!='const']": forbid(
      "is state of a module",
    ),
    "Program > VariableDeclaration > VariableDeclarator > ArrowFunctionExpression": forbid(
      "is an arrow at top level: write a function",
    ),
    "Program > ExportNamedDeclaration > VariableDeclaration > VariableDeclarator > ArrowFunctionExpression":
      forbid("is an arrow at top level: write a function"),
    PropertyDefinition: addMember,
    MethodDefinition: addMember,
    TSParameterProperty(node) {
      // Deno 2.9 leaves `accessibility` out here.
      const [keyword] = /^(private|protected)\b/.exec(text.slice(...node.range)) ?? [];
      if (keyword !== undefined) forbid(`is ${keyword} by a keyword, not by #`)(node);
    },
  };
}

/** The name of an exported function; none of anything else. */
function nameOf(
  node: NonNullable<Deno.lint.ExportNamedDeclaration["declaration"]>,
): string | undefined {
  const isFunction = node.type === "TSDeclareFunction" || node.type === "FunctionDeclaration";
  return isFunction ? node.id?.name : undefined;
}

/** Whether a name is that of a property, and does not stand for its value as well. */
function isKey(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (!("key" in parent) || parent.key === undefined || "shorthand" in parent && parent.shorthand) {
    return false;
  }
  return isSame(parent.key, node);
}

/** Whether two nodes are one. */
function isSame(a: Deno.lint.Node, b: Deno.lint.Node): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}
