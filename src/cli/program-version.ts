/** The version that `version` shows for the client. */
export const programVersion = '0.1.0';
