/** Whether an argument is the address of an engine and not the name of an image. */
export const isHost = (text: string | undefined): text is string =>
  text !== undefined && /^(?:ssh|unix|tcp|https?):\/\//.test(text);
