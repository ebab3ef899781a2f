// deno-lint-ignore-file no-import-prefix -- a copy in vendor/ has no import map of its own
/**
 * Stand-in for `@std/assert`: the assertions the tests use, with the signatures of the original. The
 * code behind them is the same library in its npm edition, which comes without types.
 *
 * @module
 */
import * as assertions from "npm:deno-std@1.4.0/assert/mod.js";

/** A constructor whose instances a test expects. */
// deno-lint-ignore no-explicit-any -- what the original says: any constructor is meant
type AnyConstructor<T = any> = abstract new (...args: any[]) => T;

/** A list that an assertion can search. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/** What counts as false. */
type Falsy = false | 0 | 0n | "" | null | undefined;

/** The error that a failed assertion throws. */
export type AssertionError = Error;

/** The constructor of {@linkcode AssertionError}. */
export const AssertionError: new (message: string, options?: ErrorOptions) => AssertionError =
  assertions.AssertionError;

/** Asserts that `expr` is truthy. */
export const assert: (expr: unknown, msg?: string) => asserts expr = assertions.assert;

/** Asserts that `expr` is falsy. */
export const assertFalse: (expr: unknown, msg?: string) => asserts expr is Falsy =
  assertions.assertFalse;

/** Tells whether two values are deeply equal. */
export const equal: (a: unknown, b: unknown) => boolean = assertions.equal;

/** Asserts that two values are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertEquals;

/** Asserts that two values are not deeply equal. */
export const assertNotEquals: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertNotEquals;

/** Asserts that two values are identical, by `Object.is`. */
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  msg?: string,
) => asserts actual is T = assertions.assertStrictEquals;

/** Asserts that two values are not identical, by `Object.is`. */
export const assertNotStrictEquals: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertNotStrictEquals;

/** Asserts that two numbers differ by no more than `tolerance`. */
export const assertAlmostEquals: (
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
) => void = assertions.assertAlmostEquals;

/** Asserts that `actual` is greater than `expected`. */
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertGreater;

/** Asserts that `actual` is greater than `expected` or equal to it. */
export const assertGreaterOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertGreaterOrEqual;

/** Asserts that `actual` is less than `expected`. */
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = assertions.assertLess;

/** Asserts that `actual` is less than `expected` or equal to it. */
export const assertLessOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  assertions.assertLessOrEqual;

/** Asserts that `actual` is neither `null` nor `undefined`. */
export const assertExists: <T>(actual: T, msg?: string) => asserts actual is NonNullable<T> =
  assertions.assertExists;

/** Asserts that `actual` is an instance of `expectedType`. */
export const assertInstanceOf: <T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
) => asserts actual is InstanceType<T> = assertions.assertInstanceOf;

/** Asserts that `actual` contains `expected`. */
export const assertStringIncludes: (actual: string, expected: string, msg?: string) => void =
  assertions.assertStringIncludes;

/** Asserts that `actual` contains every value of `expected`. */
export const assertArrayIncludes: <T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
) => void = assertions.assertArrayIncludes;

/** Asserts that `actual` has at least the properties of `expected`, deeply equal. */
export const assertObjectMatch: (
  // deno-lint-ignore no-explicit-any -- what the original says: interfaces have no index signature
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) => void = assertions.assertObjectMatch;

/** Asserts that `actual` matches the regular expression. */
export const assertMatch: (actual: string, expected: RegExp, msg?: string) => void =
  assertions.assertMatch;

/** Asserts that `actual` does not match the regular expression. */
export const assertNotMatch: (actual: string, expected: RegExp, msg?: string) => void =
  assertions.assertNotMatch;

/** The two ways to call {@linkcode assertThrows}. */
interface AssertThrows {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    errorClass: AnyConstructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
}

/** Asserts that `fn` throws, and returns what it threw. */
export const assertThrows: AssertThrows = assertions.assertThrows;

/** The two ways to call {@linkcode assertRejects}. */
interface AssertRejects {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: AnyConstructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
}

/** Asserts that the promise of `fn` rejects, and resolves to the reason. */
export const assertRejects: AssertRejects = assertions.assertRejects;

/** Fails the test. */
export const fail: (msg?: string) => never = assertions.fail;

/** Fails the test, as this line cannot be reached. */
export const unreachable: (reason?: string) => never = assertions.unreachable;
