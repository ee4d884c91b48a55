// Follows a change feed with the EventSource of Node, and writes a line for each publication.
//
//   node --experimental-eventsource feed.mjs URL

const source = new EventSource(process.argv[2]);
source.addEventListener('open', () => console.log(JSON.stringify({open: true})));
source.addEventListener('published', ({data, lastEventId}) =>
  console.log(JSON.stringify({id: lastEventId, ...JSON.parse(data)})));
// Ends with the test that started it.
process.stdin.resume().on('end', () => process.exit(0));
