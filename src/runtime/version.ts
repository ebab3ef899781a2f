/** The version that `--version`, `NODE INFO` and `GATEWAY INFO` tell. */
export const programVersion = "0.1.0";
