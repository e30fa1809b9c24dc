const { createServer } = require('node:http');
const isNumber = require('is-number');

const greeting = 'hello';
createServer((request, response) => {
  const word = request.url.slice(1);
  response.end(`${greeting} ${word} ${isNumber(word)}\n`);
}).listen(3000);
