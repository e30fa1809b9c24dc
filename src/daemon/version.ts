/** Wharf's version, in one place. */
export const wharfVersion = '0.1.0';
