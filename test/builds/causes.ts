/** Cases in which our image differs from the reference's on purpose, or not yet on purpose, each with its cause. */
export const causes: Readonly<Record<string, string>> = {
  'variables/proxy':
    'a proxy given in capitals reaches commands in capitals only; the reference adds small letters',
  'variables/proxy-declared': 'as above',
  'copy/from-missing-path':
    'our message names the path within the stage, the reference that of its own folder',
  'copy/link-into-existing':
    'a linked layer has the folder that it made on its way, with the attributes of that',
  'run/hostname': '/etc/hostname has the host name, as in containers; the reference leaves it empty',
  'run/devices': '/dev/core is there, as in containers',
};

/** The same for what docker's command line sends without BuildKit, where that alone is why. */
export const legacyCauses: Readonly<Record<string, string>> = {
  'copy/ignored-by-own-name':
    'the client leaves out what .dockerignore says, and does not know the other file',
  'copy/ignored-everything-back':
    'the client looks into no folder that is ignored, so that nothing in it comes back',
};
