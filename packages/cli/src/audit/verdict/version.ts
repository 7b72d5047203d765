export { compareVersions, lineOf, versionAtLeast } from '../../vocabulary/engines.js';
