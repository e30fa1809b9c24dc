const secretWords = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicWord = /(?:_|^)public(?:_|$)/i;

/** Whether a variable's name says that its value is a secret. */
export const isSecretName = (name: string): boolean => secretWords.test(name) && !publicWord.test(name);
