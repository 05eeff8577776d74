/** What stays while the pages change. */
export const words = {
  shell: {
    notHere: {
      title: 'این صفحه باز نشد',
      notForYou: (page: string) => `صفحهٔ «${page}» برای نقش شما نیست. اگر به آن نیاز دارید، از مدیر سامانه بخواهید.`,
      nothing: 'این نشانی را نداریم؛ شاید کوتاه شده یا قدیمی باشد.',
      home: 'رفتن به کار من',
    },
    rail: 'بخش‌ها',
    tabs: 'صفحه‌های این بخش',
    destinations: {
      work: 'کار من',
      control: 'اتاق فرمان',
      citizens: 'شهروندان',
      calendar: 'تقویم',
      requests: 'گزارش‌های شهری',
      figures: 'آمار',
      records: 'بایگانی',
      staff: 'کارکنان',
      account: 'حساب من',
    },
    more: 'بیشتر',
    late: (count: string) => `${count} دیرکرد`,
    alarms: (count: string) => `${count} هشدار`,
    heard: {
      listen: (): string => 'یک سرپرست این گفت‌وگو را می‌شنود؛ شهروند چیزی از آن نمی‌شنود.',
      whisper: (name: string) => `${name} در گوش شما سخن می‌گوید؛ شهروند نمی‌شنود.`,
      join: (name: string) => `${name} در گفت‌وگو است؛ شهروند هم می‌شنود.`,
    },
    wordOf: (name: string, time: string) => `${name}، ${time}:`,
    haveRead: 'خواندم',
    searchKeys: 'Ctrl K',
    call: 'تماس جاری',
    back: 'بازگشت به تماس',
  },
}
