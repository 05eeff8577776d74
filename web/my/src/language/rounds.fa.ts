/** How a citizen asks to be told of the next round. */
export const nextRound = {
  title: 'خبر دور بعدی',
  lead: 'هر وقت دور بعدی اعلام شد، یک بار با پیامک خبر می‌دهیم. این جای نوبت را نمی‌گیرد؛ بعد باید ثبت‌نام کنید.',
  office: 'با چه کسی؟',
  wish: 'خبرم کنید',
  told: 'خبر می‌دهیم.',
  leave: 'دیگر نمی‌خواهم',
}

/** Announced rounds, and the own places in them. */
export const rounds = {
  title: 'گفت‌وگو با مدیران',
  mine: 'جای من',
  none: 'با این شماره جایی در صف نیست.',
  announced: 'دورهای اعلام‌شده',
  noneAnnounced: 'اکنون دوری اعلام نشده است.',
  register: 'با تلفن هم می‌شود: ۱۳۷ را بگیرید و ۱ را بزنید.',
  take: 'همین‌جا ثبت‌نام کنید',
  giveUp: 'جای خود را نمی‌خواهم',
  giveUpSure: 'جای شما در صف به دیگران می‌رسد.',
  giveUpYes: 'بله، لغو شود',
  keep: 'نه، بماند',
  registration: (from: string, until: string) => `ثبت‌نام: ${from} تا ${until}`,
  line: 'خط اپراتور',
  ticket: (ticket: string) => `شمارهٔ نوبت ${ticket}`,
  place: (place: string) => `نفر ${place} صف`,
  why: 'همهٔ آنچه دفتر دربارهٔ جای من دارد',
  called: (entries: string, called: string, before: string) => `این گوشی هر ${entries} سطر دفتر از آن پس را خوانده است: ${called} نفر دیگر فراخوانده شدند و ${before} نفرشان جلوتر از شما بودند.`,
  nobodyPassed: 'کسی بدون دلیلی که در دفتر آمده باشد از شما جلو نیفتاده است.',
  unread: (called: string, before: string) => `سامانه می‌گوید در این مدت ${called} نفر دیگر فراخوانده شدند و ${before} نفرشان جلوتر از شما بودند. این گوشی آن را بررسی نکرده است: دفتر از آن پس سطرهای بسیار دارد.`,
  passed: 'کسی بی‌دلیل از شما جلو افتاده است. به ۱۳۷ خبر دهید.',
  movedUp: (reason: string) => `جای شما را مسئول رسیدگی جلو آورده است، به این دلیل: ${reason}`,
  carried: 'در دور پیش به شما نرسیدیم؛ پس پیش از تازه‌ثبت‌نام‌کرده‌ها هستید.',
  registered: (when: string) => `به ترتیب زمان ثبت‌نام: ${when}`,
  phase: {
    planned: 'در برنامه', announced: 'اعلام شده', open: 'ثبت‌نام باز است', closed: 'ثبت‌نام پایان یافته است', live: 'گفت‌وگو در جریان است',
    over: 'پایان یافته', cancelled: 'لغو شد',
  },
  state: {
    unconfirmed: 'شماره هنوز تأیید نشده است', waiting: 'در صف', calling: 'همین حالا نوبت شماست', reached: 'گفت‌وگو انجام شد',
    unreached: 'به شما نرسیدیم؛ در دور بعدی پیش از دیگران', closed: 'پایان‌یافته', cancelled: 'لغو شده',
  },
}
