/** How a citizen is told of requests. */
export const notices = {
  title: 'News of reports',
  of: 'News',
  push: 'In this app',
  text: 'Text message',
  on: 'This phone shows news, also while the app is closed.',
  off: 'This phone can show news, also while the app is closed.',
  cannot: 'This browser shows no news. On an iPhone, put the app on the first page first.',
  begin: 'Show news',
  end: 'Show no more',
  refused: 'Showing news was not allowed; text messages come as before. The browser’s settings can change that.',
  unreachable: 'This phone’s push service does not answer; text messages come as before.',
  topic: {
    question: 'A question to you',
    solved: 'It is solved; is it?',
    news: 'News on the way',
    ended: 'How it ended',
    followed: 'What you follow',
  },
  instead: 'Where news reaches this app, no text message comes.',
  always: 'Report numbers, tickets and sign-in codes always come as text messages. What has both ways switched off, you see here only; a report is closed if you never say whether it is solved.',
}
