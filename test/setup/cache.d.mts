export declare const serverVersion: string;
export declare const serverNodeMajor: number;
export declare function cacheDir(): string;
export declare function browserDir(): string;
export declare function nodeBinary(): string;
export declare function serverMain(): string;
