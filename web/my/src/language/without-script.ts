/** What a browser without scripts reads, in both languages on one page: my/vite.config.ts puts it into index.html. */
export const withoutScript = {
  without: 'این برنامه به جاوااسکریپت نیاز دارد، که در این مرورگر خاموش است. با تلفن ۱۳۷ گزارش دهید و پیگیری کنید، یا از این صفحه‌های ساده:',
  call: 'شماره‌گیری',
  mine: 'نوبت‌ها و گزارش‌های من، پاسخ به «حل شد؟» و داده‌های من',
  number: 'پیگیری با شماره',
  how: 'راهنمای ۱۳۷',
  'without-en': 'This app needs JavaScript, which is off in this browser. Report and follow up by telephone, 137, or use these plain pages:',
  'mine-en': 'My places and reports, “is it solved?”, and my data',
  'number-en': 'Follow up by number',
  'how-en': 'The guide to 137',
}
