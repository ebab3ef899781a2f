// @ts-check
/**
 * Figures and names as people read them. Everything here is pure.
 *
 * @module
 */

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * A count of bytes with three digits that matter.
 *
 * @param {number} bytes
 * @returns {string} Such as `1.5 MiB`; `–` for what is not a number.
 */
export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return "–";
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.95 KiB would read as 1024 KiB.
  while (value >= 1023.5 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\.0+$/, "")} ${byteUnits[unit]}`;
}

/**
 * Bytes a second.
 *
 * @param {number} bytesPerSecond
 */
export function formatRate(bytesPerSecond) {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * A whole number with a comma every three digits.
 *
 * @param {number} count
 * @returns {string} `–` for what is not a number.
 */
export function formatCount(count) {
  if (!Number.isFinite(count)) return "–";
  return Math.round(count).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * A count with its noun.
 *
 * @param {number} count
 * @param {string} noun In the singular.
 */
export function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * How long something took or has lasted, in its two largest units.
 *
 * @param {number} seconds
 * @returns {string} Such as `3 h 12 min`; `–` for what is not a number.
 */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/**
 * How long ago something was, roughly.
 *
 * @param {number} timeMs
 * @param {number} nowMs
 */
export function formatAge(timeMs, nowMs) {
  if (!Number.isFinite(timeMs)) return "–";
  const seconds = (nowMs - timeMs) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return formatDay(timeMs);
}

/**
 * A day, as ISO 8601 writes it, in the reader's time zone.
 *
 * @param {number} timeMs
 */
export function formatDay(timeMs) {
  const date = new Date(timeMs);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

/**
 * A time of the day, in the reader's time zone.
 *
 * @param {number} timeMs
 */
export function formatClock(timeMs) {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** @param {number} value */
function twoDigits(value) {
  return String(value).padStart(2, "0");
}
