export const words = {
  line: {
    title: 'صف',
    waiting: (count: string) => `${count} نفر در انتظار`,
    empty: 'کسی در صف نیست.',
    place: 'ردیف',
    ticket: 'شمارهٔ نوبت',
    number: 'شمارهٔ تلفن',
    since: 'ثبت‌نام',
    roundsMissed: (count: number, digits: string) =>
      count === 1 ? 'انتقالی از دور پیش' : `انتقالی از ${['دو', 'سه', 'چهار', 'پنج'][count - 2] ?? digits} دور پیش`,
    movedUp: (reason: string) => `به تشخیص سرپرست: ${reason}`,
    attempts: (count: string) => `${count} بار تماس`,
    retryAt: (when: string) => `تماس دوباره از ${when}`,
    atDesk: (id: string) => `میز ${id}`,
    atMyDesk: 'میز شما',
    calling: 'در حال تماس',
  },
  why: {
    'in-turn': (when: string) => `به ترتیب ثبت‌نام، ${when}`,
    carried: (when: string) => `ثبت‌نام ${when}`,
    'moved-up': (when: string) => `ثبت‌نام ${when}`,
  },
  subjectName: 'موضوع',
  lineHeads: { why: 'دلیل جایگاه', more: 'وضعیت' },
  rowLoading: 'در حال بارگذاری',
}
