/** Of this package; sent to servers as LIB-VER. Kept equal to package.json by a test. */
export const version = '0.1.0';
