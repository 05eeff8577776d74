/** The texts of hearing: a round's desks while they speak, and its recordings. */
export const faSupervising = {
  desks: {
    title: 'میزهای این نوبت',
    none: 'هنوز میزی به این نوبت پاسخ نمی‌دهد.',
    speaks: (ticket: string, time: string) => `در گفت‌وگو با ${ticket}، ${time}`,
    connecting: (ticket: string) => `${ticket} به این میز وصل می‌شود`,
    asks: 'آمادهٔ نفر بعدی',
    free: 'در گفت‌وگو نیست',
    away: 'تلفن این میز وصل نیست',
    how: { listen: 'شنیدن', whisper: 'نجوا با میز', join: 'پیوستن' },
    stop: 'پایان',
    buttons: (desk: string) => `گفت‌وگوی میز ${desk}`,
    connectFirst: 'برای شنیدن گفت‌وگوها نخست تلفن میز خود را وصل کنید.',
  },
  recordings: {
    title: 'گفت‌وگوهای ضبط‌شده',
    none: 'هنوز گفت‌وگویی ضبط نشده است.',
    logged: 'هر بار شنیدن در گزارش بازرسی ثبت می‌شود.',
    player: (ticket: string) => `گفت‌وگو با شمارهٔ پیگیری ${ticket}`,
    silent: 'صدایی ضبط نشده است',
    deleted: (when: string) => `پاک شد: ${when}`,
    broken: 'پخش نشد: فایل دست خورده یا در دسترس نیست.',
  },
}
