/** What stays while the pages change. */
export const words = {
  shell: {
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
    searchKeys: 'Ctrl K',
    call: 'تماس جاری',
    back: 'بازگشت به تماس',
  },
}
